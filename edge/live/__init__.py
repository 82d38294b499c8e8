"""The live camera: newest frame, where the stage stands, each cell counted once."""
