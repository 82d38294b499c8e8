"""Finished slides on their way to other systems: the outbox, a FHIR server, DHIS2, and the device's own figures."""
