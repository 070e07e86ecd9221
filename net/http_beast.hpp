#pragma once
// Short names for the two namespaces of Boost.Beast; only for the files that use its parser.

namespace boost::beast::http {}

namespace muster::net {

namespace beast = boost::beast;
namespace beast_http = boost::beast::http;

} // namespace muster::net
