"""Running AzioneLab: commands, checks, health and metrics, processes, the smoke test."""
