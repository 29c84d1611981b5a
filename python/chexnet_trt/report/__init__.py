"""A comparison as one page: tables 5 to 8 and figures 10 to 20 of the whitepaper.

Everything comes from the JSON that `compare` wrote; nothing is computed here but rounding.
"""
