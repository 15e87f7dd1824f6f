"""DAMON, the Linux data access monitor, as an asyncio engine over synthetic memory."""
