"""Pictures drawn by ``plasmolite simulate --bundled``, shipped so that trying it needs no data of anyone.

``cells/`` and ``fields/`` hold the pictures, ``cells.csv`` and ``fields.csv`` the truth about them.
"""
