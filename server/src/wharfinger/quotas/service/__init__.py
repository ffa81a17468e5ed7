"""The use cases of quotas: storage of uploads, traffic of downloads, plans and limits, metering."""
