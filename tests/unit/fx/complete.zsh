# What zsh makes of lines on which Tab is pressed: complete.zsh FOLDER LINE... prints each between
# < and >. FOLDER holds the completion function _fx, and gets the start-up file of the zsh that is
# typed at.
cat >$1/.zshrc <<'end'
fpath=($ZDOTDIR $fpath)
autoload -U compinit && compinit -u -D
show() { zle -I; print -r -- "<$BUFFER>"; BUFFER='' }
zle -N show
bindkey '^X' show
PS1=READY
end
zmodload zsh/zpty
zpty typist "TERM=dumb ZDOTDIR=${(q)1} zsh -d -i"
zpty -r typist seen '*READY*'
for line in "${@:2}"; do
  zpty -w -n typist "$line"$'\t\x18'
  zpty -r typist seen '*<*>*'
  seen=${seen#*<}
  print -r -- "<${seen%%>*}>"
done
