// The secrets of a box, each in a file of its own under keys/, mode 0600, made once.
#pragma once

#include <string>
#include <string_view>

#include "engine/env/disk.hpp"
#include "engine/trust/ssh.hpp"

namespace satchel::site {

inline constexpr char kSiteKey[] = "site";
inline constexpr char kRootKey[] = "root";
inline constexpr char kEditorKey[] = "editor";
inline constexpr char kReviewerKey[] = "reviewer";
inline constexpr std::size_t kSecretSize = 32;

// keys/NAME.key in OpenSSH's format and keys/NAME.pub; an existing key is loaded, never replaced.
Result<trust::SigningKey> load_or_make_key(env::Disk& disk, std::string_view name, env::Random& random);
Result<trust::SigningKey> load_key(env::Disk& disk, std::string_view name);

// keys/sealing.key and keys/network.secret: 64 hex digits.
Result<trust::SealingKey> load_or_make_sealing_key(env::Disk& disk, env::Random& random);
Result<trust::SealingKey> load_sealing_key(env::Disk& disk);
Result<ByteBuffer> load_or_make_network_secret(env::Disk& disk, env::Random& random);
Result<ByteBuffer> load_network_secret(env::Disk& disk);
Result<void> save_network_secret(env::Disk& disk, ByteView secret);

// keys/request: the text of the request that waits for its grant.
Result<void> save_request(env::Disk& disk, std::string_view text);
Result<std::string> load_request(env::Disk& disk);  // kNotFound
Result<void> remove_request(env::Disk& disk);

}  // namespace satchel::site
