"""From a trained run to released TFLite models: export, quantisation, the gate, the manifest, the card."""
