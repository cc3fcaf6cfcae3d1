#!/usr/bin/env bash
# The Debian package of the build in $BUILD: made, looked through, unpacked, and fx run from it; its
# units as systemd judges them.
source "$(dirname "$0")/common.inc"
for tool in cpack dpkg-deb dpkg-shlibdeps file systemd-analyze; do
  command -v "$tool" >/dev/null || {
    echo "skipped: $tool is not installed"
    exit 77
  }
done

echo "=== the package"
cpack -G DEB --config "$BUILD/CPackConfig.cmake" -B "$work/made" >"$work/cpack.out" 2>&1 ||
  fail "cpack: $(cat "$work/cpack.out")"
package=$(echo "$work"/made/fx_*.deb)
depends=$(dpkg-deb -f "$package" Depends)
for name in adduser libc6 libgrpc++1.51 libssl3; do
  [[ ", $depends," == *", $name"[\ ,]* ]] || fail "it does not depend on $name: $depends"
done
[[ $depends != *-dev* ]] || fail "it depends on what only a compiler needs: $depends"
dpkg-deb -c "$package" >"$work/list"
! awk '$2 != "root/root" || $1 ~ /^.......[ws]..*[st]|^........w/' "$work/list" | grep . ||
  fail "not root's, or open to others"
dpkg-deb -e "$package" "$work/control"
for script in postinst prerm postrm; do
  sh -n "$work/control/$script" || fail "$script is no script"
  [ -x "$work/control/$script" ] || fail "$script cannot be run"
done

echo "=== what is in it"
tree=$work/tree
dpkg-deb -x "$package" "$tree"
[ "$("$tree/usr/bin/fx" --version)" = "$("$FX" --version)" ] || fail "its fx is another"
for file in share/man/man1/fx.1.gz share/bash-completion/completions/fx \
  share/zsh/site-functions/_fx \
  share/fish/vendor_completions.d/fx.fish share/doc/fx/copyright \
  share/doc/fx/changelog.gz; do
  [ -s "$tree/usr/$file" ] || fail "$file is missing or empty"
done
"$tree/usr/bin/fx" man | cmp - <(gunzip -c "$tree/usr/share/man/man1/fx.1.gz") ||
  fail "the man page is another's"
[ "$(stat -c %s "$tree/usr/bin/fx")" -lt $((30 << 20)) ] || fail "its fx was not stripped"

echo "=== the units"
for role in aggregator collaborator; do
  unit=$tree/usr/lib/systemd/system/fx-$role@.service
  grep -q "^ExecStart=/usr/bin/fx $role start" "$unit" || fail "$role: $(grep ExecStart "$unit")"
  sed "s|=/usr/bin/fx|=$tree/usr/bin/fx|" "$unit" >"$work/fx-$role@.service"
  said=$(systemd-analyze verify --man=no "$work/fx-$role@.service" 2>&1) ||
    fail "systemd-analyze verify: $said"
  [ -z "$said" ] || fail "systemd-analyze verify: $said"
  systemd-analyze security --offline=true --no-pager --threshold=20 "$unit" >"$work/security" ||
    fail "$role: $(tail -n 1 "$work/security")"
  tail -n 1 "$work/security"
done

echo "=== cmake --install elsewhere"
cmake --install "$BUILD" --prefix "$work/opt" --strip >"$work/install.out" 2>&1 ||
  fail "cmake --install: $(cat "$work/install.out")"
grep -q "^ExecStart=$work/opt/bin/fx " "$work/opt/lib/systemd/system/fx-aggregator@.service" ||
  fail "the unit names another program than the one that was installed"
"$work/opt/bin/fx" --version >/dev/null || fail "the installed fx does not run"
