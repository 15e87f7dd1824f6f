"""What schemes would do: monitors run in plain loops over machines."""
