# SPDX-License-Identifier: Apache-2.0
#
# What only a real Windows can show. As an administrator, with the programs of the preset mingw:
#
#   powershell -ExecutionPolicy Bypass -File verify.ps1 -Build C:\path\to\build\mingw
#
# One row a line: its id, PASS or FAIL, what it is about. The status is the number of failures.
# Everything it makes (a folder, an account, a service) it removes again.
#
# NOT RUN YET: none of these rows has been run on a Windows system. What each has instead, elsewhere,
# is in the last column of $rows.
param([Parameter(Mandatory = $true)][string]$Build)
$ErrorActionPreference = 'Stop'

$work = Join-Path $env:SystemDrive 'cordon-verify'
$state = Join-Path $work 'state'
$user = 'cordon-verify'
$jobstate = Join-Path $work 'jobstate'
$tool = Join-Path $Build 'tests\wine\acl_tool.exe'
$jobs = Join-Path $Build 'tests\wine\job_tool.exe'
$probe = Join-Path $Build 'tests\wine\test_wine_job.exe'
$script:failed = 0

# --- what the rows are made of ---

function Deny([string]$holder, [string[]]$paths) {
    & $tool $state $script:domain apply $script:sid $holder @paths
    return $LASTEXITCODE
}

function Drop([string]$holder) {
    & $tool $state $script:domain drop $script:sid $holder
    return $LASTEXITCODE
}

# The status of job_tool, run by SYSTEM: who alone may add groups at a logon. What it says goes to a
# file.
function AsSystem([string]$arguments) {
    $name = 'cordon-verify-job'
    $said = Join-Path $work 'said.txt'
    $line = "/c `"`"$jobs`" $arguments > `"$said`" 2>&1`""
    $action = New-ScheduledTaskAction -Execute "$env:SystemRoot\System32\cmd.exe" -Argument $line
    Register-ScheduledTask -TaskName $name -Action $action -User 'SYSTEM' -RunLevel Highest -Force | Out-Null
    try {
        Start-ScheduledTask -TaskName $name
        do { Start-Sleep -Milliseconds 200 } while ((Get-ScheduledTask -TaskName $name).State -eq 'Running')
        return (Get-ScheduledTaskInfo -TaskName $name).LastTaskResult
    } finally {
        Unregister-ScheduledTask -TaskName $name -Confirm:$false
    }
}

function Said { return (Get-Content -LiteralPath "$work\said.txt" -ErrorAction SilentlyContinue) -join ' ' }

# A whole job with what is to be denied or else said of it; its principal is nobody's account.
function Job([string]$options, [string]$command) {
    return AsSystem "run `"$jobstate`" S-1-5-21-1-2-3-1001 $options `"$command`""
}

# The status of cordon with a profile of this name, in the workspace. What it says goes to a file.
function Cordon([string]$program, [string]$profile, [string]$command) {
    $codex = Join-Path $work 'codex'
    New-Item -ItemType Directory -Force $codex, "$work\ws" | Out-Null
    Set-Content -LiteralPath "$codex\config.toml" -Encoding ASCII -Value @(
        '[permissions.token]', 'network.enabled = true', '[permissions.token.filesystem]', '":root" = "read"',
        '[permissions.service.filesystem]', '":root" = "read"', '":workspace_roots" = "write"', "'$work\secret.txt' = `"deny`"")
    $env:CODEX_HOME = $codex
    $mode = if ($profile -eq 'full') { '-s danger-full-access' } else { "-P $profile" }
    $process = Start-Process -FilePath $program -ArgumentList "sandbox windows $mode -C `"$work\ws`" -- $command" `
        -WindowStyle Hidden -PassThru -RedirectStandardError "$work\said.txt" -RedirectStandardOutput "$work\out.txt" `
        -RedirectStandardInput "$work\codex\config.toml"
    $process.WaitForExit()
    return $process.ExitCode
}

# The status of a command line that the account runs.
function AsUser([string]$command) {
    $process = Start-Process -FilePath "$env:SystemRoot\System32\cmd.exe" -ArgumentList "/c $command" `
        -Credential $script:credential -WorkingDirectory "$env:SystemRoot" -WindowStyle Hidden -PassThru
    $process.WaitForExit()
    return $process.ExitCode
}

function CanRead([string]$path) { return (AsUser "type `"$path`" > nul 2> nul") -eq 0 }

function Sddl([string]$path) { return (Get-Acl -LiteralPath $path).Sddl }

function New-File([string]$path) { Set-Content -LiteralPath $path -Value 'secret' }

function Demand([bool]$condition, [string]$what) { if (-not $condition) { throw $what } }

# --- the rows: id, what it shows, how, and what holds its place until it is run ---

$rows = @(
    @('WV-01', 'a denied file is closed to the account and to nobody else', {
        $f = "$work\a.txt"; New-File $f; $before = Sddl $f
        Demand (CanRead $f) 'readable before'
        Demand ((Deny 's1' @($f)) -eq 0) 'applied'
        Demand (-not (CanRead $f)) 'still readable'
        Demand ((Get-Content -LiteralPath $f) -eq 'secret') 'the administrator reads it'
        Demand ((Drop 's1') -eq 0 -and (Sddl $f) -eq $before) 'the list is as it was'
        Demand (CanRead $f) 'readable after'
    }, 'wine/test_wine_keys: a_denied_key_is_closed_to_the_principal_and_to_nobody_else'),
    @('WV-02', 'a denied folder closes what is in it and what comes later', {
        New-Item -ItemType Directory "$work\d\e" | Out-Null; New-File "$work\d\e\f.txt"
        $before = Sddl "$work\d\e\f.txt"
        Demand ((Deny 's1' @("$work\d")) -eq 0) 'applied'
        New-File "$work\d\e\later.txt"
        Demand (-not (CanRead "$work\d\e\f.txt")) 'an older file'
        Demand (-not (CanRead "$work\d\e\later.txt")) 'a newer file'
        Demand ((Drop 's1') -eq 0 -and (Sddl "$work\d\e\f.txt") -eq $before) 'inherited entries went'
    }, 'unit/test_acl: a_folder_passes_its_entry_on'),
    @('WV-03', 'a file whose list is protected from inheritance is closed, too', {
        New-Item -ItemType Directory "$work\p" | Out-Null; New-File "$work\p\f.txt"
        & icacls "$work\p\f.txt" /inheritance:d /q | Out-Null
        $before = Sddl "$work\p\f.txt"
        Demand ((Deny 's1' @("$work\p")) -eq 0) 'applied'
        Demand (-not (CanRead "$work\p\f.txt")) 'still readable'
        Demand ((Drop 's1') -eq 0 -and (Sddl "$work\p\f.txt") -eq $before) 'the list is as it was'
    }, 'unit/test_state_below: what_does_not_inherit_a_denial_gets_its_own'),
    @('WV-04', 'a missing path is made, closed and removed', {
        Demand ((Deny 's1' @("$work\n\.env?", "$work\.ssh\")) -eq 0) 'applied'
        Demand (Test-Path -LiteralPath "$work\n\.env" -PathType Leaf) 'a file'
        Demand (Test-Path -LiteralPath "$work\.ssh" -PathType Container) 'a folder'
        Demand ((AsUser "copy nul `"$work\n\.env`" > nul 2> nul") -ne 0) 'written by the account'
        Demand ((Drop 's1') -eq 0) 'dropped'
        Demand (-not (Test-Path -LiteralPath "$work\n") -and -not (Test-Path -LiteralPath "$work\.ssh")) 'left'
    }, 'unit/test_state: a_missing_path_is_made_and_goes_with_its_last_row'),
    @('WV-05', 'two sessions share a path by count', {
        $f = "$work\c.txt"; New-File $f
        Demand ((Deny 's1' @($f)) -eq 0 -and (Deny 's2' @($f)) -eq 0) 'applied'
        Demand ((Drop 's1') -eq 0 -and -not (CanRead $f)) 'the other still holds it'
        Demand ((Drop 's2') -eq 0 -and (CanRead $f)) 'nobody holds it'
    }, 'unit/test_state: two_sessions_with_different_policies_share_a_path_by_count'),
    @('WV-06', 'a relaxed policy leaves nothing of the stricter one', {
        New-File "$work\r1.txt"; New-File "$work\r2.txt"; $before = Sddl "$work\r2.txt"
        Demand ((Deny 's1' @("$work\r1.txt", "$work\r2.txt")) -eq 0) 'applied'
        Demand ((Deny 's1' @("$work\r1.txt")) -eq 0 -and (Sddl "$work\r2.txt") -eq $before) 'relaxed'
        Demand ((Drop 's1') -eq 0) 'dropped'
    }, 'golden/golden_calls: a_relaxed_policy'),
    @('WV-07', 'a renamed file is found again by its id', {
        New-File "$work\old.txt"; $before = Sddl "$work\old.txt"
        Demand ((Deny 's1' @("$work\old.txt")) -eq 0) 'applied'
        Rename-Item -LiteralPath "$work\old.txt" 'new.txt'; New-File "$work\old.txt"
        Demand (-not (CanRead "$work\new.txt")) 'readable by its new name'
        Demand ((Drop 's1') -eq 0 -and (Sddl "$work\new.txt") -eq $before) 'the list is as it was'
    }, 'unit/test_state: an_entry_is_taken_off_an_object_that_was_renamed'),
    @('WV-08', 'a junction that was not planned as one is refused, and its target left alone', {
        New-Item -ItemType Directory "$work\target" | Out-Null; $before = Sddl "$work\target"
        New-Item -ItemType Junction "$work\j" -Target "$work\target" | Out-Null
        Demand ((Deny 's1' @("$work\j")) -eq 1 -and (Sddl "$work\target") -eq $before) 'refused'
    }, 'unit/test_acl: what_cannot_be_relied_on_is_refused'),
    @('WV-09', 'hard links are closed under every name', {
        New-File "$work\h1.txt"
        New-Item -ItemType HardLink -Path "$work\h2.txt" -Target "$work\h1.txt" | Out-Null
        Demand ((Deny 's1' @("$work\h1.txt")) -eq 0 -and -not (CanRead "$work\h2.txt")) 'readable'
        Demand ((Drop 's1') -eq 0) 'dropped'
    }, 'unit/test_acl: a_file_with_two_names_can_be_denied'),
    @('WV-10', 'an alternate stream of a denied file is closed', {
        New-File "$work\s.txt"; Set-Content -LiteralPath "$work\s.txt" -Stream x -Value 'secret'
        Demand ((Deny 's1' @("$work\s.txt")) -eq 0) 'applied'
        Demand ((AsUser "more < `"$work\s.txt:x`" > nul 2> nul") -ne 0) 'readable'
        Demand ((Drop 's1') -eq 0) 'dropped'
    }, 'none: Wine has no streams'),
    @('WV-11', 'limits of a job object read back as they were set', {
        # Without a token nothing starts; that the start is what fails says that the limits held.
        $said = & "$Build\tests\wine\test_wine_launch.exe" limits_that_read_back_otherwise 2>&1
        Demand ("$said" -match 'got: +starting cmd') "$said"
    }, 'unit/test_launch: limits_are_those_that_were_asked_for'),
    @('WV-12', 'the pure programs say here what they say elsewhere', {
        foreach ($program in Get-ChildItem "$Build\tests\unit\test_*.exe") {
            & $program.FullName | Out-Null
            Demand ($LASTEXITCODE -eq 0) $program.Name
        }
    }, 'ctest -L wine'),
    @('WV-13', 'the account is made once, hidden, and no user logs on as it', {
        Demand ((AsSystem 'account make') -eq 0) (Said)
        $made = (Get-LocalUser 'cordon-job').SID.Value
        Demand ((AsSystem 'account make') -eq 0 -and (Get-LocalUser 'cordon-job').SID.Value -eq $made) 'made anew'
    }, 'unit/test_account: an_account_is_made_once_and_set_up'),
    @('WV-14', 'a whole job is logged on, restricted and run, and finds closed what is denied', {
        New-File "$work\j1.txt"; New-File "$work\j2.txt"; $before = Sddl "$work\j1.txt"
        Demand ((Job "deny=$work\j1.txt" "cmd /c type $work\j2.txt") -eq 0) (Said)
        Demand ((Job "deny=$work\j1.txt" "cmd /c type $work\j1.txt") -eq 1) (Said)
        Demand ((Sddl "$work\j1.txt") -eq $before) 'the list is as it was'
    }, 'wine/test_wine_job: a_whole_job_finds_closed_what_its_policy_denies'),
    @('WV-15', 'a job writes where it is granted and nowhere else', {
        New-Item -ItemType Directory "$work\w1", "$work\w2" | Out-Null
        & icacls "$work\w2" /grant '*S-1-5-32-545:(OI)(CI)M' /q | Out-Null
        Demand ((Job "write=$work\w1" "cmd /c echo x> $work\w1\f") -eq 0) (Said)
        Demand ((Job "write=$work\w1" "cmd /c echo x> $work\w2\f") -eq 1) 'Users may write, and the job did'
    }, 'unit/test_job_plan: a_policy_becomes_a_job_that_runs'),
    @('WV-16', 'a job without network reaches nobody, this machine included', {
        # 28: connected, and nothing was said for 3 s; 7: not connected.
        Demand ((Job '' 'curl.exe -s -m 3 telnet://127.0.0.1:135') -eq 28) (Said)
        Demand ((Job 'offline' 'curl.exe -s -m 3 telnet://127.0.0.1:135') -eq 7) (Said)
        Demand ((Job '' 'curl.exe -s -m 3 telnet://127.0.0.1:135') -eq 28) 'a filter is left'
    }, 'unit/test_job: every_call_that_fails_refuses_the_job_and_undoes_the_rest'),
    @('WV-17', 'a job has a window station of its own', {
        Demand ((Job '' "$probe --desktop x") -eq 0) (Said)
    }, 'wine/test_wine_job: a_job_has_a_desktop_of_its_own'),
    @('WV-18', 'a job has a terminal, whose own process is not the service''s', {
        Demand ((Job 'terminal' "$probe --terminal x") -eq 0) (Said)
    }, 'unit/test_launch: a_terminal_is_all_that_a_process_has'),
    @('WV-30', 'a private broker runs a command with full access, as its caller', {
        Demand ((Cordon $Build\client\cordon.exe 'full' 'cmd /c exit 42') -eq 42) (Said)
        Demand ((AsUser "`"$Build\client\cordon.exe`" sandbox windows --embedded -s danger-full-access -- cmd /c exit 42") -eq 42) 'as a user'
    }, 'wine/test_wine_enforce: a_command_with_full_access_runs_with_its_status'),
    @('WV-31', 'its restricted token runs a command, which writes nowhere', {
        Demand ((Cordon $Build\client\cordon.exe 'token' 'cmd /c exit 42') -eq 42) (Said)
        Demand ((Cordon $Build\client\cordon.exe 'token' "cmd /c echo x> $work\written") -ne 0) (Said)
        Demand (-not (Test-Path -LiteralPath "$work\written")) 'written'
    }, 'wine/test_wine_enforce: a_token_that_is_not_restricted_starts_nothing'),
    @('WV-32', 'a job of the installed service reads, writes and is denied as its policy says; nothing is left', {
        $place = "$env:ProgramFiles\cordon-verify"
        New-Item -ItemType Directory -Force $place, "$work\ws" | Out-Null
        New-File "$work\ws\a.txt"; New-File "$work\secret.txt"; $before = (Sddl "$work\secret.txt") + (Sddl "$work\ws")
        Copy-Item "$Build\broker\cordond.exe", "$Build\broker\cordon-worker.exe", "$Build\platform\cordon-init.exe", "$Build\client\cordon.exe" $place
        try {
            & "$place\cordond.exe" --install | Out-Null
            Demand ($LASTEXITCODE -eq 0) 'not installed'
            Demand ((Cordon $place\cordon.exe 'service' "cmd /c type $work\ws\a.txt") -eq 0) (Said)
            Demand ((Cordon $place\cordon.exe 'service' "cmd /c echo x> $work\ws\b.txt") -eq 0) (Said)
            Demand ((Cordon $place\cordon.exe 'service' "cmd /c echo x> $work\b.txt") -ne 0) 'outside of the workspace'
            Demand ((Cordon $place\cordon.exe 'service' "cmd /c type $work\secret.txt") -ne 0) 'denied and read'
            # A program with user32: it does not start on a desktop that is closed to it.
            Demand ((Cordon $place\cordon.exe 'full' 'powershell -NoProfile -Command exit 42') -eq 42) 'as its caller, by the service'
            Demand (((Sddl "$work\secret.txt") + (Sddl "$work\ws")) -eq $before) 'entries are left'
            Demand ((Cordon $place\cordon.exe 'service' "$probe --desktop x") -eq 0) 'a station of its own'
            Demand ((Cordon $place\cordon.exe 'full' 'cmd /c echo x> \\.\pipe\cordond') -eq 0) 'nobody reaches the pipe'
            Demand ((Cordon $place\cordon.exe 'service' 'cmd /c echo x> \\.\pipe\cordond') -ne 0) 'a job reaches the pipe'
        } finally {
            & "$place\cordond.exe" --uninstall | Out-Null
            Remove-Item -LiteralPath $place -Recurse -Force
        }
    }, 'wine/test_wine_enforce: a_list_that_does_not_stick_starts_nothing'),
    @('WV-19', 'the account is gone without a trace', {
        Demand ((AsSystem 'account remove') -eq 0) (Said)
        Demand ($null -eq (Get-LocalUser 'cordon-job' -ErrorAction SilentlyContinue)) 'still there'
    }, 'unit/test_account: removal_leaves_nothing_and_can_be_tried_again'),
    @('WV-20', 'the service is installed, has six privileges, tells the event log, and is removed', {
        # Programs in a folder of the system's, as they would be.
        $place = "$env:ProgramFiles\cordon-verify"
        New-Item -ItemType Directory -Force $place | Out-Null
        Copy-Item "$Build\broker\cordond.exe", "$Build\broker\cordon-worker.exe", "$Build\platform\cordon-init.exe" $place
        try {
            $said = & "$place\cordond.exe" --install 2>&1
            Demand ($LASTEXITCODE -eq 0) "$said"
            Demand ((Get-Service cordond).Status -eq 'Running') 'it does not run'
            Demand ("$(& sc.exe qsidtype cordond)" -match 'UNRESTRICTED') 'no SID of its own'
            Demand ((& sc.exe qprivs cordond | Select-String 'Se\w+Privilege').Count -eq 6) 'privileges'
            Demand ($null -ne (Get-LocalUser 'cordon-job')) 'no account'
            Demand ($null -ne (Get-WinEvent -FilterHashtable @{LogName = 'Application'; ProviderName = 'cordon'} -MaxEvents 1)) 'no event'
            & "$place\cordond.exe" --install | Out-Null
            Demand ($LASTEXITCODE -eq 0) 'a second time'
            $said = & "$place\cordond.exe" --uninstall 2>&1
            Demand ($LASTEXITCODE -eq 0) "$said"
            Demand ($null -eq (Get-Service cordond -ErrorAction SilentlyContinue)) 'the entry is left'
            Demand ($null -eq (Get-LocalUser 'cordon-job' -ErrorAction SilentlyContinue)) 'the account is left'
            Demand (-not (Test-Path "$env:ProgramData\cordon\state")) 'the state is left'
        } finally {
            Remove-Item -LiteralPath $place -Recurse -Force
        }
    }, 'wine/test_wine_install: it_is_installed_and_answers'),
    @('WV-21', 'the installer puts the service on, and leaves nothing when it is removed', {
        $msi = (Get-Item "$Build\packaging\windows\cordon-*-x64.msi").FullName
        $run = Start-Process msiexec.exe -ArgumentList "/i `"$msi`" /qn" -Wait -PassThru
        Demand ($run.ExitCode -eq 0) "msiexec /i: $($run.ExitCode)"
        Demand ((Get-Service cordond).Status -eq 'Running') 'it does not run'
        $said = & "$env:ProgramFiles\cordon\cordon.exe" doctor 2>&1
        Demand ("$said" -notmatch 'bad +(entry|programs|state|event log)') "$said"
        $run = Start-Process msiexec.exe -ArgumentList "/x `"$msi`" /qn" -Wait -PassThru
        Demand ($run.ExitCode -eq 0) "msiexec /x: $($run.ExitCode)"
        Demand ($null -eq (Get-Service cordond -ErrorAction SilentlyContinue)) 'the entry is left'
        Demand (-not (Test-Path "$env:ProgramFiles\cordon")) 'programs are left'
        Demand ([Environment]::GetEnvironmentVariable('PATH', 'Machine') -notmatch 'Files\\cordon') 'PATH names it'
    }, 'wine/test_wine_msi: it_leaves_nothing_when_it_is_removed')
)

# --- the run ---

New-Item -ItemType Directory -Force $state, $jobstate | Out-Null
$password = -join (1..24 | ForEach-Object { [char](Get-Random -Minimum 48 -Maximum 122) }) + 'aA1!'
$secret = ConvertTo-SecureString $password -AsPlainText -Force
New-LocalUser -Name $user -Password $secret -AccountNeverExpires | Out-Null
try {
    Add-LocalGroupMember -SID 'S-1-5-32-545' -Member $user -ErrorAction SilentlyContinue
    $script:sid = (Get-LocalUser $user).SID.Value
    # Here the machine's own domain stands for the service's: its accounts are one number more.
    $script:domain = $script:sid -replace '-\d+$', ''
    $script:credential = New-Object System.Management.Automation.PSCredential($user, $secret)
    & icacls $work /grant "*$($script:sid):(OI)(CI)RX" /q | Out-Null
    foreach ($row in $rows) {
        try {
            & $row[2]
            Write-Output ('{0} PASS {1}' -f $row[0], $row[1])
        } catch {
            $script:failed++
            Write-Output ('{0} FAIL {1}: {2}' -f $row[0], $row[1], $_)
            [void](Drop 's1'); [void](Drop 's2')
        }
    }
} finally {
    Remove-LocalUser -Name $user
    Remove-Item -LiteralPath $work -Recurse -Force
}
exit $script:failed
