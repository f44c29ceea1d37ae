"""The room as oh-my-msgcode keeps it, in agents.json, channels.json and messages.json, read and written.

`entries` is the format, `merge` what these files say that we did not know, `listing` what we have to say in
them, `files` how they are read and replaced, `memory` what we last saw there. `mirror` puts it together,
`keeper` does so all the time, and `journal` does so whenever a room is read or changed.
"""
