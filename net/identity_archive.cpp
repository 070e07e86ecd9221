#include "net/identity_archive.hpp"

#include "net/certificate.hpp"
#include "net/der.hpp"
#include "net/datagram_secret_file.hpp"
#include "net/identity_files.hpp"
#include "net/private_file.hpp"

#include <muster/assert.hpp>

#include <openssl/aead.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>

#include <array>
#include <span>
#include <utility>

namespace muster::net {

namespace {

using namespace std::string_view_literals;

constexpr auto magic = "MUSTERID"sv;
constexpr std::uint8_t version = 1;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t salt_at = magic.size() + 4;
constexpr std::size_t nonce_at = salt_at + salt_bytes;
constexpr std::size_t header_bytes = nonce_at + nonce_bytes;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t packed_bytes_max = 64 * 1024;
constexpr std::uint64_t scrypt_memory_max = 256 * 1024 * 1024;
constexpr std::size_t name_bytes_max = 255;

/// AES-256-GCM under what scrypt makes of the passphrase.
class archive_key {
public:
  ~archive_key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  archive_key() = default;
  archive_key(const archive_key&) = delete;
  archive_key& operator=(const archive_key&) = delete;

  /// False when the cost is none or more than we spend.
  [[nodiscard]] bool derive(std::string_view passphrase, std::string_view salt,
                            const scrypt_cost& cost) {
    // Asked before the library is: its own bound counts what it needs on top as well.
    if (cost.log2_n < 1 || cost.log2_n > 20 || cost.r < 1 || cost.p < 1 || cost.p > 4 ||
        (std::uint64_t{128} * cost.r << cost.log2_n) > scrypt_memory_max)
      return false;
    const bool made = EVP_PBE_scrypt(passphrase.data(), passphrase.size(), der::bytes(salt),
                                     salt.size(), std::uint64_t{1} << cost.log2_n, cost.r, cost.p,
                                     2 * scrypt_memory_max, bytes_.data(), bytes_.size()) == 1;
    ERR_clear_error();
    return made && EVP_AEAD_CTX_init(context_.get(), EVP_aead_aes_256_gcm(), bytes_.data(),
                                     bytes_.size(), tag_bytes, nullptr) == 1;
  }

  [[nodiscard]] const EVP_AEAD_CTX* get() const { return context_.get(); }

private:
  std::array<std::uint8_t, 32> bytes_{};
  bssl::ScopedEVP_AEAD_CTX context_;
};

std::uint8_t* mutable_bytes(std::string& text, std::size_t at = 0) {
  return reinterpret_cast<std::uint8_t*>(text.data()) + at;
}

/// Takes `count` bytes from the front; false when there are fewer.
bool take(std::string_view& in, std::size_t count, std::string_view& out) {
  if (in.size() < count)
    return false;
  out = in.substr(0, count);
  in.remove_prefix(count);
  return true;
}

bool take_sized(std::string_view& in, std::size_t length_bytes, std::string_view& out) {
  std::string_view length;
  if (!take(in, length_bytes, length))
    return false;
  std::size_t size = 0;
  for (const char c : length)
    size = size << 8U | static_cast<std::uint8_t>(c);
  return take(in, size, out);
}

} // namespace

std::string pack_files(const directory_contents& files) {
  std::string out;
  for (const auto& [name, content] : files) {
    MUSTER_ASSERT(!name.empty() && name.size() <= name_bytes_max &&
                    content.size() <= packed_bytes_max,
                  "the files of an identity are few and small");
    out += static_cast<char>(name.size());
    out += name;
    for (const unsigned shift : {16U, 8U, 0U})
      out += static_cast<char>(content.size() >> shift & 0xffU);
    out += content;
  }
  MUSTER_ASSERT(out.size() <= packed_bytes_max, "the files of an identity are few and small");
  return out;
}

std::optional<directory_contents> unpack_files(std::string_view packed) {
  if (packed.size() > packed_bytes_max)
    return std::nullopt;
  directory_contents out;
  while (!packed.empty()) {
    std::string_view name;
    std::string_view content;
    if (!take_sized(packed, 1, name) || !take_sized(packed, 3, content) || name.empty())
      return std::nullopt;
    // In order, so that no name comes twice and there is one form only.
    if (!out.empty() && std::prev(out.end())->first >= name)
      return std::nullopt;
    out.emplace_hint(out.end(), name, content);
  }
  return out;
}

std::string seal_identity(const directory_contents& files, std::string_view passphrase,
                          const scrypt_cost& cost) {
  std::string out(magic);
  out += static_cast<char>(version);
  for (const auto figure : {cost.log2_n, cost.r, cost.p})
    out += static_cast<char>(figure);
  std::array<std::uint8_t, salt_bytes + nonce_bytes> random{};
  random_bytes(random);
  out += der::view(random);
  archive_key key;
  MUSTER_ASSERT(key.derive(passphrase, std::string_view(out).substr(salt_at, salt_bytes), cost),
                "the cost of an archive is our own choice");
  auto packed = pack_files(files);
  const std::string header = out;
  out.resize(header_bytes + packed.size() + tag_bytes);
  std::size_t size = 0;
  const int ok =
    EVP_AEAD_CTX_seal(key.get(), mutable_bytes(out, header_bytes), &size, out.size() - header_bytes,
                      der::bytes(header) + nonce_at, nonce_bytes, der::bytes(packed), packed.size(),
                      der::bytes(header), header.size());
  OPENSSL_cleanse(packed.data(), packed.size());
  MUSTER_ASSERT(ok == 1 && size == out.size() - header_bytes, "sealing does not fail");
  return out;
}

std::optional<directory_contents> open_identity(std::string_view archive,
                                                std::string_view passphrase, std::string& problem) {
  problem.clear();
  const auto refuse = [&](std::string_view why) -> std::optional<directory_contents> {
    problem = why;
    return std::nullopt;
  };
  if (!archive.starts_with(magic))
    return refuse("this is no archive of a Muster identity");
  if (archive.size() > magic.size() && archive[magic.size()] != version)
    return refuse("this archive was written by a newer Muster; update this one first");
  if (archive.size() < header_bytes + tag_bytes)
    return refuse("this archive was cut short; copy it again");
  if (archive.size() > header_bytes + packed_bytes_max + tag_bytes)
    return refuse("this archive is larger than any identity");
  const auto header = archive.substr(0, header_bytes);
  const auto sealed = archive.substr(header_bytes);
  const auto figure = [&](std::size_t i) {
    return static_cast<std::uint8_t>(header[magic.size() + 1 + i]);
  };
  archive_key key;
  if (!key.derive(passphrase, header.substr(salt_at, salt_bytes),
                  {.log2_n = figure(0), .r = figure(1), .p = figure(2)}))
    return refuse("this archive asks for more than 256 MB of memory; it is damaged");
  std::string packed(sealed.size(), '\0');
  std::size_t size = 0;
  const int ok = EVP_AEAD_CTX_open(key.get(), mutable_bytes(packed), &size, packed.size(),
                                   der::bytes(header) + nonce_at, nonce_bytes, der::bytes(sealed),
                                   sealed.size(), der::bytes(header), header.size());
  ERR_clear_error();
  if (ok != 1)
    return refuse("the passphrase is wrong, or the archive was changed or cut short");
  auto out = unpack_files(std::string_view(packed).substr(0, size));
  OPENSSL_cleanse(packed.data(), packed.size());
  return out ? std::move(out) : refuse("this archive holds nothing of use");
}

// -- the directory ------------------------------------------------------------------------------

std::optional<std::string> export_server_identity(const std::filesystem::path& directory,
                                                  std::string_view passphrase,
                                                  std::string& problem) {
  problem.clear();
  if (passphrase.size() < passphrase_bytes_min) {
    problem = "the passphrase must have at least " + std::to_string(passphrase_bytes_min) +
              " characters: whoever guesses it owns the fleet";
    return std::nullopt;
  }
  const auto vacant = identity_files::is_vacant(directory, problem);
  if (vacant && *vacant)
    problem =
      directory.string() + ": there is no identity; the server makes one at its first start";
  if (!problem.empty() || !prepare_private_directory(directory, problem))
    return std::nullopt;
  const auto files = identity_files::read_core(directory, problem);
  const auto core =
    files ? identity_files::judge_core(*files, directory, problem) : std::nullopt;
  if (!core || !load_datagram_secrets(directory, core->datagram_secret, problem))
    return std::nullopt;
  return seal_identity(*files, passphrase);
}

bool import_server_identity(const std::filesystem::path& directory, std::string_view archive,
                            std::string_view passphrase, std::string& problem) {
  const auto files = open_identity(archive, passphrase, problem);
  if (!files || !identity_files::judge_core(*files, directory, problem))
    return false;
  // Only what belongs there: a name in an archive is no reason to write a file.
  directory_contents core;
  for (const auto* name : identity_files::core_files)
    core.emplace(name, files->at(name));
  for (const auto* name : identity_files::more_files)
    if (files->contains(name))
      core.emplace(name, files->at(name));
  const auto result = identity_files::place(directory, core, problem);
  if (result == identity_files::placing::occupied)
    problem = directory.string() + ": there is an identity (or something else) already; nothing is "
                                   "overwritten: move the directory away first";
  return result == identity_files::placing::placed;
}

} // namespace muster::net
