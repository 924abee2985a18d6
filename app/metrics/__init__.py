"""Every Prometheus metric of the serving process."""

from app.metrics.definitions import Metrics
from app.metrics.model import ChallengerMetrics, ModelMetrics

__all__ = ["ChallengerMetrics", "Metrics", "ModelMetrics"]
