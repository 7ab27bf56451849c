"""Fine-tuning: train an adapter on corrected messages, and build the model that holds it."""
