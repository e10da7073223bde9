"""Operations: commands, checks, monitoring, processes, the smoke test."""
