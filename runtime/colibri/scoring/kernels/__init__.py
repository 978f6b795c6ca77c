"""Compiled kernels: the only code here that imports numba, and only `colibri.scoring.engine` imports it."""
