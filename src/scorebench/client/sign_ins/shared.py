"""Flags that several sign-ins take. Knows names alone."""

from __future__ import annotations

from scorebench.client.sign_ins.record import Flag

PROFILE = Flag("--sign-in-profile", "profile of the AWS or Databricks configuration to sign in with", "NAME")
