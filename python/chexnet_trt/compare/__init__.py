"""Section 5 of the whitepaper: speed of a network in every mode that this machine has.

Every mode lives in a process of its own, pinned to the same cores, and is fed the same input.
Rounds are interleaved, their order rotating, so that a slow minute of the machine hits all alike.
"""
