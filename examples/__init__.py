"""Programs that use the public Python interface of Plasmolite."""
