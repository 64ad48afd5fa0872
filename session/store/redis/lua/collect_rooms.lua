-- Forgets the rooms whose lease Redis has collected: a room's name may be a person's.
-- KEYS: rooms that are held.

each_lease(function() end)
