// What the directory's events say to people who look who did what. Pure functions.
#pragma once

#include "cluster/directory/directory.pb.h"

namespace troupe::cluster {

bool is_by_operator(const directory::v1::DirectoryEvent& event);

AuditView audit_view(const directory::v1::AuditPage& page);

}  // namespace troupe::cluster
