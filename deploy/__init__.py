"""Getting Plasmolite onto a device with no network: the bundle, its installer, the service, their proof."""
