"""The real npm package oh-my-msgcode, run by node, beside which ours has to live."""
