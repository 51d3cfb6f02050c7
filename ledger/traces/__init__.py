"""Traces: spans of requests, batches and jobs, sent to a collector where the environment names one."""
