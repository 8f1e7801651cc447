// Page tokens and page sizes of every list: broker/audit/page_token.h.
#pragma once

#include "broker/audit/page_token.h"

namespace schakel::query {

using audit::FilterOf;
using audit::ListId;
using audit::PageRoom;
using audit::PageSize;
using audit::PageTokens;

}  // namespace schakel::query
