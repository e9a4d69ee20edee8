// Its place is actors/testing/entity_harness.hpp now; the last test to include this one removes it.
#pragma once

#include "actors/testing/entity_harness.hpp"

namespace troupe::tests {
using testing::EntityHarness;
}
