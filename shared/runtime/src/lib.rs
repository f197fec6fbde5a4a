//! What every main needs: telemetry, configuration, the Lambda entry.
