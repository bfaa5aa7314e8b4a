"""What is wrong with an environment, judged from evidence alone: values in, findings out."""
