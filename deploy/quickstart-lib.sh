# Steps of deploy/quickstart; sourced by it. Uses: top, dir, build.

# The sample organisations of the reference bundle: OIN, context, sector, BSN authority, name.
partners=(
  "00000099000000001000|housing|housing||Woningcorporatie De Kade"
  "00000099000000001001|police|police|Wpg art. 3|Politie, basisteam Dordrecht"
  "00000099000000002000|debt-relief|social-services|Wgs art. 8|Sociale Dienst, schuldhulp"
  "00000099000000002001|veilig-thuis|care|Wmo 2015 art. 5.1.1|Veilig Thuis"
  "00000099000000002002|team|municipality|Wmo 2015 art. 5.2.9|Sociaal wijkteam Dordrecht"
  "00000099000000002004|care|care|Wabvpz art. 4|Zorgaanbieder Rivierenland"
  "00000099000000000099|loopback|test||Echo voor proeven"
)
auditor_oin=00000099000000003001
registrar_oin=00000099000000003002
custodian_oins=(00000099000000004001 00000099000000004002 00000099000000004003)
broker_oin=00000099000000005000

step() { # step TEXT COMMAND ...: runs it and says how long it took
  local text=$1 began=$SECONDS
  shift
  printf '== %s\n' "$text"
  "$@"
  printf '   %d s\n' $((SECONDS - began))
}

stop_region() { # by the process ids that started it
  local file pid
  for file in "$dir"/run/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    case "$(readlink "/proc/$pid/exe" 2>/dev/null || true)" in
      */schakel-* | */schakel) kill "$pid" 2>/dev/null || true
        for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done ;;
    esac
    rm -f "$file"
  done
}

configure() {
  # As tests/run does, so that neither builds anew what the other has built.
  (cd "$top" && cmake --preset release -B "$build" >/dev/null)
}
build_programs() { cmake --build "$build" --target schakel-broker schakel-custodian schakel; }

make_pki() {
  rm -rf "$dir"
  mkdir -p "$dir"/{run,policy,custodian,broker,head,context}
  custodian_log_keys=()
  chmod 700 "$dir"
  local pki="$top/deploy/dev-pki" line oin rest name
  "$pki" "$dir/pki" init >/dev/null
  for line in "${partners[@]}"; do
    oin=${line%%|*}
    name=${line##*|}
    "$pki" "$dir/pki" issue --oin "$oin" --name "$name" >/dev/null
  done
  for oin in "$auditor_oin" "$registrar_oin" "$broker_oin" "${custodian_oins[@]}"; do
    "$pki" "$dir/pki" issue --oin "$oin" --name "sample $oin" >/dev/null
  done
  "$pki" "$dir/pki" crl >/dev/null
}

spki_digest() { # OIN: hex of the SHA-256 of its certificate's public key
  openssl x509 -in "$dir/pki/$1.pem" -noout -pubkey | openssl pkey -pubin -outform DER |
    sha256sum | cut -c1-64
}

start() { # start NAME PROGRAM ...: in the background, and waits for its port file
  local name=$1
  shift
  rm -f "$dir/run/$name.port"
  "$@" >"$dir/run/$name.log" 2>&1 &
  echo $! >"$dir/run/$name.pid"
  for _ in $(seq 300); do
    [ -s "$dir/run/$name.port" ] && return 0
    kill -0 "$(cat "$dir/run/$name.pid")" 2>/dev/null || break
    sleep 0.05
  done
  echo "quickstart: $name did not start:" >&2
  tail -5 "$dir/run/$name.log" >&2
  exit 1
}
port_of() { cat "$dir/run/$1.port"; }

start_custodians() {
  local arguments=() oin n=0 line
  for oin in "${custodian_oins[@]}"; do
    arguments+=(--custodian "$oin=$dir/pki/$oin.chain.pem:$dir/pki/$oin.key")
  done
  key_document=$(schakel-custodian keygen --region zhz.example --epoch 1 --threshold 2 \
    "${arguments[@]}" --out "$dir/custodian/keys" 2>/dev/null)
  echo "members:" >"$dir/custodian/members.yaml"
  for line in "${partners[@]}" "$auditor_oin|auditor||AVG art. 57|"; do
    IFS='|' read -r oin _ _ authority _ <<<"$line"
    [ -n "$authority" ] || continue
    printf '  - {oin: "%s", certificate_spki_digest: "%s", authority: "%s", role: %s}\n' \
      "$oin" "$(spki_digest "$oin")" "$authority" \
      "$([ "$oin" = "$auditor_oin" ] && echo auditor || echo partner)" >>"$dir/custodian/members.yaml"
  done
  for oin in "${custodian_oins[@]}"; do
    n=$((n + 1))
    cat >"$dir/custodian/$n.yaml" <<YAML
data_folder: data-$n
share_file: keys/share-$n.key
key_document_file: keys/key-document.pb
members_file: members.yaml
head_file: $dir/head/custodian-$n
log_key_file: log-$n.key
listen: {address: "127.0.0.1:0", port_file: "$dir/run/custodian-$n.port"}
tls:
  certificate_file: $dir/pki/$oin.chain.pem
  key_file: $dir/pki/$oin.key
  ca_file: $dir/pki/ca.pem
  crl_path: $dir/pki/crl
YAML
    custodian_log_keys[n]=$(schakel-custodian init --config "$dir/custodian/$n.yaml" \
      2>"$dir/run/custodian-$n.init.log") || { cat "$dir/run/custodian-$n.init.log" >&2; exit 1; }
    start "custodian-$n" schakel-custodian --config "$dir/custodian/$n.yaml"
  done
}

start_broker() {
  cat >"$dir/broker/broker.yaml" <<YAML
data_folder: data
head_file: $dir/head/head
log_key_file: log.key
listen: {address: "127.0.0.1:0", port_file: "$dir/run/broker.port"}
reflection: true
tls:
  certificate_file: $dir/pki/$broker_oin.chain.pem
  key_file: $dir/pki/$broker_oin.key
  ca_file: $dir/pki/ca.pem
  crl_path: $dir/pki/crl
YAML
  log_key=$(schakel-broker init --config "$dir/broker/broker.yaml" --origin zhz.example/schakel/1 \
    --registrar-cert "$dir/pki/$registrar_oin.pem" --policy "$top/policy/zuid-holland-zuid" \
    2>"$dir/run/init.log") || { cat "$dir/run/init.log" >&2; exit 1; }
  start broker schakel-broker --config "$dir/broker/broker.yaml"
}

write_contexts() {
  local line oin context n
  {
    echo "current: housing"
    echo "contexts:"
    for line in "${partners[@]}" "$auditor_oin|auditor|||" "$registrar_oin|registrar|||"; do
      IFS='|' read -r oin context _ <<<"$line"
      cat <<YAML
  - name: $context
    broker: 127.0.0.1:$(port_of broker)
    ca_file: $dir/pki/ca.pem
    certificate_file: $dir/pki/$oin.chain.pem
    key_file: $dir/pki/$oin.key
    crl_path: $dir/pki/crl
    key_store: $dir/context/$context/keys
    state_folder: $dir/context/$context/state
    log_key: "$log_key"
    actor: quickstart
    actor_role: professional
    language: en
    key_documents: [{epoch: 1, digest: "$key_document"}]
    custodians:
YAML
      for n in 1 2 3; do
        printf '      - {oin: "%s", address: "127.0.0.1:%s", log_key: "%s"}\n' \
          "${custodian_oins[$((n - 1))]}" "$(port_of "custodian-$n")" "${custodian_log_keys[n]}"
      done
    done
  } >"$dir/context/schakel/contexts.yaml"
}

as() { # as CONTEXT ARGUMENT ...: the command line as that organisation
  local context=$1
  shift
  XDG_CONFIG_HOME=$dir/context schakel --context "$context" "$@"
}

admit_everyone() {
  mkdir -p "$dir/context/schakel"
  write_contexts
  local line oin context sector authority name
  for line in "${partners[@]}"; do
    IFS='|' read -r oin context sector authority name <<<"$line"
    as registrar org admit "$oin" --certificate "$dir/pki/$oin.pem" --name "$name" \
      --role partner --sector "$sector" --area dordrecht ${authority:+--bsn-authority "$authority"} \
      --contact "balie, 078-0000000" >/dev/null
  done
  as registrar org admit "$auditor_oin" --certificate "$dir/pki/$auditor_oin.pem" \
    --name "Toezicht (voorbeeld)" --role auditor --audit-scope region \
    --audit-until "$(date -u -d '+30 days' +%Y-%m-%d)" --bsn-authority "AVG art. 57" \
    --contact "FG, 078-0000001" >/dev/null
  as registrar policy activate "$top/policy/zuid-holland-zuid" --key-document "1=$key_document"
  for line in "${partners[@]}"; do
    IFS='|' read -r _ context _ <<<"$line"
    as "$context" keys generate >/dev/null 2>&1
    as "$context" org register-keys >/dev/null 2>&1
  done
}

start_loopback() { # whoever joins tests alone: it answers test signals for as long as the region runs
  XDG_CONFIG_HOME=$dir/context schakel --context loopback loopback run >"$dir/run/loopback.log" 2>&1 &
  echo $! >"$dir/run/loopback.pid"
}

# ---- The story ----

say() { printf '\n-- %s\n' "$1"; }
show() { # show CONTEXT ARGUMENT ...: prints the command and its output
  local context=$1
  shift
  printf '%s$ schakel %s\n' "$context" "$*"
  as "$context" "$@"
}
denied() { # the same, where exit code 1 (denied) is what should come
  local code=0
  show "$@" || code=$?
  [ "$code" = 1 ] || { echo "quickstart: exit code $code, 1 (denied) expected" >&2; exit 1; }
}

tell_story() {
  mkdir -p "$dir/story"
  cd "$dir/story"
  echo '{"months_in_arrears": 3, "amount_cents": 145000}' >arrears.json
  echo '{"tenancy": "social-rent", "minors_in_home": true}' >housing.json
  echo '{"given_names": "Sanne", "family_name": "Voorbeeld", "birth_date": "1985-04-12"}' >person.json
  echo '{"occurred_on": "2026-01-10", "kinds": ["psychological"], "children_present": true}' >report.json
  echo '{"household_size": 3, "children": 1, "relation": "partner"}' >household.json
  echo '{"help_needed": ["administration", "meals"]}' >help.json
  echo '{"test": true, "serial": 1234}' >test.json
  echo 999990019 >bsn.txt # from the published test set
  chmod 600 bsn.txt

  say "The housing corporation may not use a BSN: it sends rent arrears about an unlinked person."
  show housing signal send --type rent-arrears --subject-unlinked --to-function debt-relief@Dordrecht \
    --purpose prevent-eviction --ground wgs-debt --section finances=@arrears.json \
    --section housing=@housing.json --identity @person.json --key RENT-1
  say "Debt relief opens it, and takes responsibility."
  show debt-relief inbox fetch --max 1 | tee fetched.txt
  show debt-relief inbox ack "$(line_of Delivery fetched.txt)"
  say "Later it tells what came of it: a code that the region agreed on, no words about the tenant."
  show debt-relief inbox report "$(line_of Delivery fetched.txt)" --code help-offered

  say "The police may not have it: no rule permits that, and the answer says so."
  denied housing signal send --type rent-arrears --subject-unlinked --to 00000099000000001001 \
    --purpose prevent-eviction --ground wgs-debt --section finances=@arrears.json

  say "The police reports domestic violence: Veilig Thuis gets all of it, the neighbourhood team its part."
  show police signal send --type domestic-violence-report --urgency acute --subject-bsn @bsn.txt \
    --to-function domestic-violence-centre@Dordrecht --to-function neighbourhood-team@Dordrecht \
    --purpose stop-domestic-violence --ground wmo-veilig-thuis --section safety=@report.json \
    --section social=@household.json --identity @person.json
  show veilig-thuis inbox fetch --max 1
  show team inbox fetch --max 1

  say "A care provider asks for help with daily living: without consent it is denied."
  denied care signal send --type care-avoidance --subject-bsn @bsn.txt \
    --to-function neighbourhood-team@Dordrecht --purpose coordinate-care --ground consent \
    --section daily-living=@help.json
  say "The person consents; now the same is queued."
  show care consent record --subject-bsn @bsn.txt --identity-check document --sender-sector care \
    --recipient-function neighbourhood-team@Dordrecht --category daily-living \
    --purpose coordinate-care --valid 180d --form-version 2026-1 | tee consent.txt
  show care signal send --type care-avoidance --subject-bsn @bsn.txt \
    --to-function neighbourhood-team@Dordrecht --purpose coordinate-care --ground consent \
    --section daily-living=@help.json
  say "Before the team reads it the person withdraws: it is held back, and the sender is told."
  show care consent withdraw "$(grep -om1 '^[0-9a-f-]\{36\}' consent.txt)"
  show team inbox fetch --max 5
  show care signal outcomes

  say "Whoever joins tests alone: the loopback answers test signals, which are about nobody."
  show housing signal send --type test-signal --subject-unlinked --to-function loopback@zuid-holland-zuid \
    --purpose test-connection --ground test-traffic --section daily-living=@test.json
  show housing signal outcomes --follow --limit 8 # four steps of the arrears, four of the test
  show housing inbox fetch --max 1

  say "The auditor proves what happened; each look is itself a record."
  sleep 1.2 # a checkpoint is signed each second
  show auditor audit query --kind delivery --kind withdrawal --kind withheld --ground "AVG art. 57" \
    --reference QUICKSTART
  say "How did the consent stand just after it was recorded? The log knows, and what became of it since."
  show auditor audit state --of statements --organisation 00000099000000002004 --index \
    "$(as auditor audit query --kind statement -o csv 2>>"$dir/run/story.log" | sed -n '2s/[^0-9].*//p')"
  say "That the log is whole and unchanged, and that each decision comes out the same again:"
  show auditor audit verify --records --ground "AVG art. 57" --reference QUICKSTART
  show auditor policy replay
  say "Each custodian keeps a log of its own: who computed how many pseudonyms, never for whom."
  show auditor audit query --custodian 1 --kind evaluation
  show auditor audit verify --custodian 1 --records
  cd "$top"
}

line_of() { sed -n "s/^$1: //p" "$2" | tail -1; } # line_of LABEL FILE: what stands behind the label

how_to_go_on() {
  cat <<TEXT

The region runs on. To look around, as any of: housing police debt-relief veilig-thuis team care auditor
registrar, for example

  export XDG_CONFIG_HOME=$dir/context PATH=$build/bin:\$PATH
  schakel --context team inbox fetch
  schakel --context auditor audit query --limit 10

To stop it: deploy/quickstart --stop
TEXT
}
