// Nothing: the target that compiles runtime/precompiled.hpp needs a file.
