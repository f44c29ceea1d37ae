"""The tools, and the room as resources, over MCP: for any agent program that is an MCP client."""
