"""The routes of images below ``/api/v1``, with OpenAPI; loaded after readiness."""
