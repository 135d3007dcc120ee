"""Errors of core. Every message says what is wrong, where, and what to do."""


class CoreError(Exception):
    """Root of every error that core raises on purpose."""


class PermanentError(CoreError):
    """No retry mends it: the training pipelines tell their engines to fail at once."""


class ConfigError(PermanentError, ValueError):
    """A run's configuration is missing, malformed or contradicts itself.

    A ValueError, so that msgspec adds which field it is about.
    """


class DataError(PermanentError):
    """The source data breaks a rule; the message names the file and the rule."""


class ArtifactError(CoreError):
    """A reference points at something missing or changed."""


class TransientError(CoreError):
    """An injected error that goes away after the configured number of attempts."""
