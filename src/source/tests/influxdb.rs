use crate::source::{
    http::{Reply, TIMEOUT},
    influxdb::decode,
    tests::http,
};

fn reply(body: &str) -> Reply {
    http(TIMEOUT).reply("http://influx:8086", 200, body.into())
}

#[test]
fn annotated_answers_of_several_tables_are_read() {
    let two = "#datatype,string,long,dateTime:RFC3339,double,string\r\n#group,false,false,false,false,true\r\n\
               #default,_result,,,,\r\n,result,table,_time,_value,_field\r\n,,0,2026-01-01T00:00:00Z,1.5,a\r\n\
               ,,0,2026-01-01T00:01:00Z,9,a\r\n,,1,2026-01-01T00:00:00Z,2.5,\"b, c\"\r\n\r\n\
               #datatype,string,long,long\r\n#group,false,false,false\r\n#default,other,,\r\n,result,table,_value\r\n\
               ,other,0,7\r\n\r\n";
    assert_eq!(decode(&reply(two)).unwrap(), [1.5, 2.5, 7.0]);
    assert!(decode(&reply("\r\n\r\n")).unwrap().is_empty());
    assert!(decode(&reply(",result,table,_value\n,_result,0,\n")).unwrap()[0].is_nan());
}

#[test]
fn an_error_within_an_answer_is_one() {
    let error = decode(&reply(",error,reference\r\n,cannot query,897\r\n")).unwrap_err();
    assert!(error.quoting().ends_with("makes no sense: the query failed half-way: cannot query"), "{error}");
    let error = decode(&reply(",result,table,mean\r\n,_result,0,1\r\n")).unwrap_err();
    assert!(error.quoting().ends_with("there is no column _value in it: ,result,table,mean"), "{error}");
    assert!(decode(&reply(",result,table,_value\r\n,_result,0,on\r\n")).is_err());
}

#[test]
fn l5_an_empty_line_within_quotes_parts_no_tables() {
    let quoted =
        ",result,table,_value,tag\r\n,_result,0,1.5,\"a\r\n\r\nb\"\r\n\r\n,result,table,_value\r\n,b,0,2\r\n";
    assert_eq!(decode(&reply(quoted)).unwrap(), [1.5, 2.0]);
}
