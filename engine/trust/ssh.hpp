// What stock OpenSSH makes and checks: SSHSIG signatures (PROTOCOL.sshsig), public key lines, and
// unencrypted private key files. An encrypted private key is never read: its owner signs with ssh-keygen.
#pragma once

#include <string>
#include <string_view>

#include "engine/trust/keys.hpp"

namespace satchel::trust {

inline constexpr std::size_t kArmorMax = 4096;

// Armored signature over `message`, as `ssh-keygen -Y sign -n NAMESPACE` makes it (sha512, 70-column lines),
// without a final newline.
[[nodiscard]] std::string ssh_sign(const SigningKey& key, std::string_view name_space, ByteView message);
// The key that signed. kRefused for anything but one valid ssh-ed25519 signature in this namespace, in
// exactly the form that ssh_sign gives: a signed commit's id covers its armor, and a second armor for one
// signature would let anyone make a twin of the commit.
Result<PublicKey> ssh_verify(std::string_view armor, std::string_view name_space, ByteView message);

[[nodiscard]] std::string ssh_public_line(const PublicKey& key, std::string_view comment);
Result<PublicKey> parse_ssh_public_line(std::string_view line);
[[nodiscard]] std::string ssh_private_file(const SigningKey& key, std::string_view comment,
                                           env::Random& random);
Result<SigningKey> parse_ssh_private_file(std::string_view text);

}  // namespace satchel::trust
