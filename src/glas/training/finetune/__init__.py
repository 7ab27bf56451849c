"""Fine-tuning: train an adapter on corrected messages, and build the model with this adapter."""
