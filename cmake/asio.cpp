// The one file that compiles Asio; everything else only declares it (ASIO_SEPARATE_COMPILATION).
#include <asio/impl/src.hpp>
