"""Clusters that pull images: what their users registered of them. The service dials none."""
