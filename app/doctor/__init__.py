"""The usual causes of bad recommendations, looked for one after the other."""

from app.doctor.examination import examine
from app.doctor.findings import Finding, Level
from app.doctor.registry import CHECKS, Check

__all__ = ["CHECKS", "Check", "Finding", "Level", "examine"]
