"""Networks, and what observations become before they enter one."""
