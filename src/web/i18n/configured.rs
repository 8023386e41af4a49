//! What the configuration and its maps hold, as they are looked at.

texts! {
    // What the running configuration holds.
    Configured "configured" "What runs, as configured" "运行中的配置"
    ConfiguredAbout "configured_about" "Looked at here and changed in its files; it runs once the configuration is read again on the data page, or the service is started anew." "此处仅供查看，须在文件中修改；在数据页重新读取配置或重启服务后生效。"
    ConfiguredReasons "configured_reasons" "Reasons of stops" "停机原因"
    ConfiguredShifts "configured_shifts" "Shifts and breaks" "班次与休息"
    ConfiguredTargets "configured_targets" "Targets" "目标"
    ConfiguredStations "configured_stations" "Stations and devices" "工位与设备"
    ConfiguredLimits "configured_limits" "Limits of control charts" "控制图限值版本"
    ChangedIn "changed_in" "Changed in" "修改处"
    ChangedAtBench "changed_at_bench" "workbench" "控制图工作台"
    NoneConfigured "none_configured" "None." "无。"
    CodeWord "code_word" "Code" "代码"
    InEnglish "in_english" "English" "英文"
    InChinese "in_chinese" "Chinese" "中文"
    StartWord "start_word" "Start" "开始"
    EndWord "end_word" "End" "结束"
    TargetRate "target_rate" "Target, capsules/min" "目标速度（粒/分钟）"
    TargetHour "target_hour" "Plan, capsules/h" "计划产量（粒/小时）"
    RatedSpeed "rated_speed" "Fastest, capsules/min" "最高速度（粒/分钟）"
    MicroStopBelow "micro_stop_below" "Micro-stop below" "短停上限"
    Protocol "protocol" "Protocol" "协议"
    VersionWord "version_word" "Version" "版本"
    LimitsState "limits_state" "State" "状态"
    LimitsMade "limits_made" "Made by, at" "制定人与时间"
    LimitsDecided "limits_decided" "Decided by, at" "批准人与时间"

    // The text of a map.
    MapText "map_text" "Map" "点表"
    MapTextAbout "map_text_about" "Which register or node of this machine means what, as it runs: the text of the map with the numbers of its lines." "本设备各寄存器或节点的含义（运行中的点表）：点表原文及行号。"
    MapOf "map_of" "Map of {station}" "{station} 点表"

    // Without the service nothing is changed.
    EditsWait "edits_wait" "The service does not answer. Nothing can be changed until it does: nothing is kept to be sent later." "服务无应答。恢复前不可更改：所做更改不会暂存待发。"
}
