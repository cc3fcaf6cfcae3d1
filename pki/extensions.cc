#include "pki/extensions.h"

#include "core/base/format.h"

namespace fx {

std::vector<Extension> LeafExtensions(const Identity& identity, const EVP_PKEY* key) {
  const bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
  const bool server = identity.role() == Role::kAggregator;
  std::string names = "DNS:" + identity.name();
  if (identity.is_ip_address()) names += ",IP:" + identity.name();
  return {
      {NID_basic_constraints, "critical,CA:FALSE"},
      {NID_key_usage,
       rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature"},
      {NID_ext_key_usage, server ? "serverAuth" : "clientAuth"},
      {NID_subject_alt_name, names},
  };
}

std::vector<Extension> AuthorityExtensions(int path_length) {
  return {
      {NID_basic_constraints, format("critical,CA:TRUE,pathlen:{}", path_length)},
      {NID_key_usage, "critical,keyCertSign,cRLSign"},
  };
}

Result<X509ExtensionPtr> MakeExtension(const Extension& extension, X509V3_CTX* context) {
  X509ExtensionPtr made(
      X509V3_EXT_conf_nid(nullptr, context, extension.nid, extension.value.c_str()));
  if (made == nullptr) {
    return Fail(
        OpenSslError(ErrorCode::kInternal, format("cannot make the certificate extension {} = {}",
                                                  OBJ_nid2sn(extension.nid), extension.value)));
  }
  return made;
}

}  // namespace fx
