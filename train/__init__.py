"""Training on a desktop: MobileNetV2 fine-tuned in two phases on labelled red cells, split by patient."""
