"""How far to trust an explanation: faithfulness, infidelity, randomised weights."""
