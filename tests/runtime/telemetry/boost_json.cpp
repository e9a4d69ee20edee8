// Boost.JSON's code, once: the strict parser that the tests read log lines with.
#include <boost/json/src.hpp>
