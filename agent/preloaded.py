"""What the processes of all calls share: read once, in the process that they fork from.

To read the phrases of June's own skills takes about a second and some megabytes, which no call
should pay for; the offline cloner, which a call has at hand, another 60 ms. What is wrong with a
skill is said by whoever loads those that are configured.
"""

import agent.voices.mimic  # noqa: F401 (imported is all it should be)
from skills.loading import BUILT_IN, load_skills

load_skills(BUILT_IN, None, lambda *_: None)
