"""The same trivial task through Backchannel and through four task queues on Redis."""
