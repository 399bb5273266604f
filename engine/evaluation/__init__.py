"""Configuration, plan, runner and journal of an evaluation."""
