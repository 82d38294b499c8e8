"""Pictures drawn by ``plasmolite simulate --bundled``, shipped so that a demonstration needs no data of anyone.

``cells/`` and ``fields/`` hold the pictures, ``cells.csv`` and ``fields.csv`` the truth about them.
"""
