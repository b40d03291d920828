"""Measurements: every figure beside a floor taken in the same run, since an absolute number says more of the machine."""
